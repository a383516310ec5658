#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh FOLDER FILES: a small build: coreutils, gcc -c of FILES small files, an archive.
set -eu
folder=$1
mkdir -p "$folder/src" "$folder/out"
for i in $(seq "$2"); do
	cat >"$folder/src/part$i.c" <<-END
		int part$i(int x) { return x * $i + 1; }
	END
	cp "$folder/src/part$i.c" "$folder/out/part$i.c"
	gcc -O1 -c -o "$folder/out/part$i.o" "$folder/out/part$i.c"
	basename "$folder/out/part$i.o" | tr a-z A-Z >>"$folder/out/list"
	touch "$folder/out/part$i.done"
done
ar rc "$folder/out/parts.a" "$folder"/out/*.o
sort "$folder/out/list" | uniq >"$folder/out/sorted"
rm -r "$folder"
