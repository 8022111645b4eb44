"""Targets, steps, breaker, permit check, rollback plan, reconciler: from the permit to traffic."""
