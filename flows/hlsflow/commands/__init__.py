"""The larger commands of the command line, one file each: arguments in, the package asked, its answer printed."""
