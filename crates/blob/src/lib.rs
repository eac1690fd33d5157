//! Content-addressed objects in a directory or an S3 bucket.
