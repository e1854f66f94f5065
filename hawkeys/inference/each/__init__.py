"""Every realisation fitted alone: how, and what comes out."""
