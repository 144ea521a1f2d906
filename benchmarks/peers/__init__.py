"""What the benchmarks hold ours against: small programs in C, asyncvnc, and the streams for all."""
