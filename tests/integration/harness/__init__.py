"""What the black-box tests of xmpp-authd share: keys and a minter, configurations, the daemon as a process, clients."""

# How long anything may take before it counts as hung: far above what a noisy machine needs under the sanitizers.
DEADLINE = 60
