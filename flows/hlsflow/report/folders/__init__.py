"""Project folders that anybody built with any tool: their configuration, what they hold, and what speaks against it."""
