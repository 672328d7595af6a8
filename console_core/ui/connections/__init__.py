"""What the Connections and the Settings page show: everything that the workspace is connected to."""
