#!/bin/sh
set -e
cd /opt/${persona.story.application}
[ -d release.new ] || exit 0
rm -rf release.old
[ -d release ] && mv release release.old
mv release.new release
systemctl reload ${persona.http.style} 2>/dev/null || true
