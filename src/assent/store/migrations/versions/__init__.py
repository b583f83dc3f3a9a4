"""One module for each revision of the schema, oldest first; a revision that was released is never changed."""
