"""What all rooms share: errors, figures, progress, finished work, caches, templates; nothing here knows them."""
