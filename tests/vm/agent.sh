# SPDX-License-Identifier: Apache-2.0
# Runs what machine.py asks for: a line on the second serial port names a script
# in the shared folder, beside which its output goes; the answer is a line with
# its exit status. What a script leaves running stays.
folder=/mnt/guest
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo "up" >&3
while read -r name seconds <&3; do
	timeout --kill-after=5 "$seconds" /bin/sh "$folder/$name" </dev/null >"$folder/$name.out" 2>&1 3<&-
	echo "$name $?" >&3
done
