"""What a reader gets: documents, drawn as Markdown or as a page, of a run, of a comparison, of folders of others."""
