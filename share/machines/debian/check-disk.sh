#!/bin/sh
USED=$(df -P / | awk 'NR == 2 {sub("%", "", $5); print $5}')
if [ "$USED" -gt 85 ]; then
	echo "${host.name}: / is ${USED}% full" | mail -s "disk ${host.name}" root
fi
