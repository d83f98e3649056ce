"""What other tools load: the pytest plug-in and its check, the hls4ml backend, the import that registers it."""
