#!/usr/bin/env bash
# Makes an image from Debian's packages that stands for the base image in the Dockerfile, where no image registry can be reached:
# scripts/container_base.sh FOLDER. Needs root, debootstrap and podman. FOLDER is used for the files, and has about 400 MB at the end.
set -euo pipefail

folder=$1
base=$(sed -n 's/^FROM \(python:[^ ]*\) AS build$/\1/p' "$(dirname "$0")/../Dockerfile")
[ -e "$folder/usr/bin/python3" ] \
  || debootstrap --variant=minbase --include=python3,python3-venv,git,ca-certificates trixie "$folder"

# As the base image has them: python and pip in front of everything, without other packages, and two of Alpine's programs.
chroot "$folder" python3 -m venv --clear /usr/local/python
cat > "$folder/usr/local/python/bin/apk" << 'EOF'
#!/bin/sh
# Stands for Alpine's apk: what is asked for has to be there already, from Debian.
set -eu
for asked; do
  case $asked in add | --*) continue ;; esac
  command -v "$asked" > /dev/null || { echo "apk: $asked isn't in the image that scripts/container_base.sh made" >&2; exit 1; }
done
EOF
cat > "$folder/usr/local/python/bin/adduser" << 'EOF'
#!/bin/sh
# Stands for Alpine's adduser -D -u ID NAME.
exec useradd --uid "$3" "$4"
EOF
chmod 755 "$folder"/usr/local/python/bin/{apk,adduser}
rm -rf "$folder"/var/lib/apt/lists/* "$folder"/var/cache/apt/*
tar --create --directory "$folder" . \
  | podman import --change 'ENV PATH=/usr/local/python/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$base"
