"""Results for people and programs: text, JSON documents, Markdown, annotations. Nothing else prints."""
