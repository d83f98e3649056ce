#!/bin/sh
# Step @step: SmartHLS does @command, and first what it needs and has not done yet.
set -e
"@compiler" -a @command
report="@report"
if [ -n "$report" ]; then
    cp "$report" "@kept" # later steps write it anew
fi
