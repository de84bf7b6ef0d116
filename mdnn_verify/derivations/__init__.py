"""The derivations of the seeds, line by line as they are printed; slips are kept, and found by the audit."""
