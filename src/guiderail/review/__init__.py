"""Cases, who may decide them, who is waited for, and the states they go through."""
