"""A potential at work: calculator for ASE, molecular dynamics, analysis, and the choice of what to compute next."""
