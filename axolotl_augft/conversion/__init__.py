"""A folder of documents (Markdown, HTML, PDF, DOCX, text) -> rows of text."""
