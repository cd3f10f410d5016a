"""Facts about programs; nothing here edits one."""
