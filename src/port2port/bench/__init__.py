"""Speed, as ratios measured in one run. `port2port bench AREA`; the long form stands behind `--long`."""
