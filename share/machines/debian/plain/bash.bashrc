# System-wide settings of interactive bash shells.

# Nothing below is for scripts.
[ -z "$PS1" ] && return

# LINES and COLUMNS follow the window.
shopt -s checkwinsize

# The chroot that we are in goes into the prompt.
if [ -z "${debian_chroot:-}" ] && [ -r /etc/debian_chroot ]; then
    debian_chroot=$(cat /etc/debian_chroot)
fi

# Not for sudo's users who keep their own.
if ! [ -n "${SUDO_USER}" -a -n "${SUDO_PS1}" ]; then
  PS1='${debian_chroot:+($debian_chroot)}\u@\h:\w\$ '
fi

# Completion by programs:
#if ! shopt -oq posix; then
#  if [ -f /usr/share/bash-completion/bash_completion ]; then
#    . /usr/share/bash-completion/bash_completion
#  fi
#fi
