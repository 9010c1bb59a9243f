#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run a command in one of the slots that scripts/test.sh shares out among all
# that it runs side by side, the files in $MLB_SLOTS; without them at once.
#
#   slot.sh COMMAND...
. "$(dirname "$0")/lib.sh"

take_slot
exec "$@"
