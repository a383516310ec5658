# SPDX-License-Identifier: Apache-2.0
# Builds a C program over and over for $1 seconds, and tries the tool before each
# build and at its end, which would say its version into the file $3: says what was
# built, what failed, and how the tool fared.
# Real: gcc, make, ld and the shells between, some four processes a file.
seconds=$1 tool=$2 mark=$3
folder=/root/build
files=30
mkdir -p $folder && cd $folder || exit 1
for number in $(seq $files); do
	cat >part$number.c <<.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct part { int number; char name[32]; struct part *next; };
int part$number(int depth)
{
	struct part *first = NULL;
	for (int i = 0; i < depth; i++) {
		struct part *one = malloc(sizeof(*one));
		snprintf(one->name, sizeof(one->name), "part %d of %d", i, $number);
		one->number = i;
		one->next = first;
		first = one;
	}
	int sum = 0;
	while (first) {
		struct part *next = first->next;
		sum += first->number + (int)strlen(first->name);
		free(first);
		first = next;
	}
	return sum;
}
.
done
{
	seq $files | sed 's/.*/int part&(int);/'
	echo 'int main(void) { int sum = 0;'
	seq $files | sed 's/.*/sum += part&(9);/'
	echo 'return sum > 0 ? 0 : 1; }'
} >main.c
cat >Makefile <<'.'
objects := $(patsubst %.c,%.o,$(wildcard *.c))
program: $(objects)
	gcc -o $@ $^
%.o: %.c
	@test -s $< && gcc -O2 -g -c -o $@ $<
clean:
	rm -f program *.o
.

builds=0 failed=0 tried=0 refused=0
try() {
	$tool --version </dev/null >>$mark 2>/dev/null
	[ $? = 126 ] && refused=$((refused + 1))
	tried=$((tried + 1))
}
rm -f $mark
end=$(($(date +%s) + seconds))
while [ "$(date +%s)" -lt $end ]; do
	try
	if make -s clean >/dev/null && make -s -j2 >build.log 2>&1 && ./program; then
		builds=$((builds + 1))
	else
		failed=$((failed + 1))
		tail -5 build.log >>failures
	fi
	try
done
echo "builds $builds"
echo "failed $failed"
echo "tried $tried"
echo "refused $refused"
echo "ran $(cat $mark 2>/dev/null | wc -l)"
[ ! -e failures ] || head -50 failures >&2
