"""Files of a folder (Markdown, HTML, PDF, DOCX, text) -> rows."""
