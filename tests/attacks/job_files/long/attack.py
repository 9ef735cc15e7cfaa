print("ESCAPED ran")
