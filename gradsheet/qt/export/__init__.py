"""Pictures and animations of what the window shows, and the commands of File > Export."""
