"""What the black-box tests of xmpp-authd share: keys and a minter, configurations, the daemon as a process, clients."""

import os

# How long anything may take before it counts as hung: far above what a noisy machine needs under the sanitizers.
DEADLINE = 60

# What tests/faults loads into the programs under test before all else.
PRELOADED = {"LD_PRELOAD": os.environ["XMPP_AUTHD_PRELOAD"]} if "XMPP_AUTHD_PRELOAD" in os.environ else {}
