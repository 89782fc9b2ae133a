-- One statement a file, and each may run again: MySQL commits DDL before the
-- version is written, so a crash in between repeats the statement.
-- id, image_url, prediction (the label) and upload_time (UTC) are the columns
-- that analysts know.

-- +goose Up
CREATE TABLE IF NOT EXISTS predictions (
    id           BIGINT NOT NULL AUTO_INCREMENT,
    image_url    VARCHAR(400) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    prediction   VARCHAR(255) NOT NULL,
    upload_time  DATETIME(3) NOT NULL,
    upload_id    CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    object_key   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    score        DOUBLE NOT NULL,
    scores       JSON NOT NULL,
    notice       VARCHAR(1000) NOT NULL,
    content_type VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    width        INT NOT NULL,
    height       INT NOT NULL,
    size_bytes   BIGINT NOT NULL,
    sha256       CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY predictions_upload_id (upload_id),
    KEY predictions_time (upload_time, id),
    KEY predictions_label_time (prediction, upload_time, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
