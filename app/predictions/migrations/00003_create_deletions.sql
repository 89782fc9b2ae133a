-- The notes of deleted uploads: what keeps a waiting spool entry or a reindex
-- from bringing one back. purged_at is when its object was deleted.

-- +goose Up
CREATE TABLE IF NOT EXISTS deletions (
    upload_id  CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    object_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    visitor    CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    deleted_at DATETIME(3) NOT NULL,
    purged_at  DATETIME(3) NULL,
    PRIMARY KEY (upload_id),
    KEY deletions_unpurged (purged_at, deleted_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
