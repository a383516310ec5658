# SPDX-License-Identifier: Apache-2.0
# The first process of a guest in the machine's root: runs the script `task` of
# the results folder in the checkout, leaves its exit status there, and turns
# the guest off. A shell that waits also reaps what the tests orphan.
export HOME=/root LANG=C.UTF-8 TERM=dumb
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# There is nobody else here whom a test could harm; tests/conftest.py asks.
export AGENT_SENSOR_TEST_HOST_WIDE=1
export results=/run/results

cd "$checkout" || echo "no $checkout in the guest"
date +%s >$results/up
if [ -e "/lib/modules/$(uname -r)/build" ]; then
	echo "the guest has kernel headers: nothing would be proved by this run"
else
	setsid --wait /bin/sh $results/task </dev/null
	echo $? >$results/status
	cat /proc/uptime >$results/uptime
fi
sync
# Off within milliseconds; until then this process must not end, nor load anything.
echo o >/proc/sysrq-trigger
while :; do :; done
