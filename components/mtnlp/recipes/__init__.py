"""From somebody's data to a pipeline that needs no tuning: what the data is, which recipe suits it,
and the project that trains it."""
