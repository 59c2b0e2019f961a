"""The audit log: what cannot be changed unnoticed, and can be forgotten. See docs/explanation/audit.md."""
