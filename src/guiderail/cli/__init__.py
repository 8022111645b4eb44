"""The command line. Each command imports its use case when it runs, so that starting is quick."""
