"""What a trained pipeline does on annotated documents, in numbers."""
