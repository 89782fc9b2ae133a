#!/bin/bash
# Brings the database instance up: at every boot, again and again until it succeeds.
set -euo pipefail

COMMON=${COMMON:-/opt/vinfast/common.sh}
DATA=${DATA:-/data}
DATA_UNIT=${DATA_UNIT:-data.mount}
FSTAB=${FSTAB:-/etc/fstab}
MYSQL=${MYSQL:-/opt/mysql}
LOG_DIR=${LOG_DIR:-/var/log/mysql}
SOCKET=${SOCKET:-/run/mysqld/mysqld.sock}
MEMINFO=${MEMINFO:-/proc/meminfo}
MYSQL_ID=1501
KEEP_SECONDS=31536000 # a certificate that ends within a year is made anew

# shellcheck source=common.sh
. "$COMMON"
DEVICE=${DEVICE:-/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME_ID/-/}}
TLS=$DATA/tls
changed=no # whether a running server must start again

# Waits for the attachment, which comes after the instance.
wait_for_volume() {
  local try
  for ((try = 1; try <= 60; try++)); do
    [[ -b $DEVICE ]] && return
    sleep "$RETRY_SECONDS"
  done
  say "the data volume $DEVICE is not attached"
  return 1
}

# A blank volume only: nothing blkid knows, and zeros. Anything else is left for a person to look at.
format_if_blank() {
  local type status=0
  type=$(blkid -p -s TYPE -o value "$DEVICE") || status=$?
  [[ $status == 0 && $type == xfs ]] && return
  if [[ $status != 2 ]] || ! cmp -s -n 1048576 "$DEVICE" /dev/zero; then
    say "$DEVICE is neither blank nor xfs (blkid: status $status, type '$type'); not touching it"
    return 1
  fi
  mkfs.xfs -q "$DEVICE"
}

mount_data() {
  wait_for_volume
  format_if_blank
  mkdir -p "$DATA"
  if ! grep -q "^$DEVICE " "$FSTAB"; then
    echo "$DEVICE $DATA xfs defaults,noatime,nofail,x-systemd.growfs 0 2" >>"$FSTAB"
    systemctl daemon-reload
  fi
  systemctl start "$DATA_UNIT"
  mountpoint -q "$DATA"
}

install_mysql() {
  local home=$MYSQL-${MYSQL_SHA256:0:16}
  if [[ ! -d $home ]]; then
    fetch "$MYSQL_KEY" "$MYSQL_SHA256" "$STATE/mysql.tar"
    rm -rf "$home.part"
    mkdir -p "$home.part"
    tar -xf "$STATE/mysql.tar" --no-same-owner --strip-components=1 -C "$home.part"
    mv "$home.part" "$home"
    rm -f "$STATE/mysql.tar"
  fi
  ln -sfn "$home" "$MYSQL"
  # Fixed ids: the data outlives the image, and another image would count its users differently.
  getent group mysql >/dev/null || groupadd --gid "$MYSQL_ID" mysql
  getent passwd mysql >/dev/null ||
    useradd --uid "$MYSQL_ID" --gid mysql --no-create-home --home-dir / --shell /sbin/nologin mysql
  install -d -o mysql -g mysql -m 0750 "$LOG_DIR"
}

# Our own: the certificates MySQL makes name no address, and clients that check refuse them.
make_certificates() {
  install -d -o root -g mysql -m 0750 "$TLS"
  if ! openssl x509 -in "$TLS/ca.pem" -noout -checkend "$KEEP_SECONDS" >/dev/null 2>&1; then
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7300 -sha256 \
      -subj "/CN=vinfast database CA" -addext keyUsage=critical,keyCertSign \
      -keyout "$TLS/ca-key.pem" -out "$TLS/ca.pem.new")
    chmod 0644 "$TLS/ca.pem.new"
    mv "$TLS/ca.pem.new" "$TLS/ca.pem"
  fi
  if ! server_certificate_holds; then
    (umask 077 && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=vinfast database" \
      -keyout "$TLS/server-key.pem" -out "$TLS/server.csr")
    openssl x509 -req -in "$TLS/server.csr" -CA "$TLS/ca.pem" -CAkey "$TLS/ca-key.pem" -CAcreateserial -days 3650 -sha256 \
      -extfile <(printf 'subjectAltName=IP:%s\nextendedKeyUsage=serverAuth\n' "$ADDRESS") -out "$TLS/server.pem"
    changed=yes
  fi
  chown mysql:mysql "$TLS/server-key.pem" "$TLS/server.pem"
}

server_certificate_holds() {
  openssl verify -CAfile "$TLS/ca.pem" "$TLS/server.pem" >/dev/null 2>&1 &&
    openssl x509 -in "$TLS/server.pem" -noout -checkend "$KEEP_SECONDS" >/dev/null &&
    openssl x509 -in "$TLS/server.pem" -noout -checkip "$ADDRESS" | grep -q 'does match' &&
    cmp -s <(openssl x509 -in "$TLS/server.pem" -noout -pubkey) <(openssl pkey -in "$TLS/server-key.pem" -pubout)
}

# Memory is what this instance has: two fifths for the buffer pool, and the statistics tables only where there is room.
write_config() {
  local mib pool
  mib=$(awk '/^MemTotal:/ {print int($2 / 1024)}' "$MEMINFO")
  pool=$((mib * 2 / 5 > 128 ? mib * 2 / 5 : 128))
  cat >"$RUN/my.cnf" <<END
[mysqld]
user=mysql
basedir=$MYSQL
datadir=$DATA/mysql
socket=$SOCKET
bind_address=$ADDRESS
log_error=$LOG_DIR/error.log
mysqlx=OFF
skip_name_resolve=ON
local_infile=OFF
default_time_zone=+00:00
require_secure_transport=ON
tls_version=TLSv1.2,TLSv1.3
auto_generate_certs=OFF
ssl_ca=$TLS/ca.pem
ssl_cert=$TLS/server.pem
ssl_key=$TLS/server-key.pem
plugin_load_add=auth_socket.so
binlog_expire_logs_seconds=86400
max_connections=100
innodb_buffer_pool_size=${pool}M
performance_schema=$([[ $mib -lt 3500 ]] && echo OFF || echo ON)
END
  cmp -s "$RUN/my.cnf" "$ETC/my.cnf" && return
  cp "$RUN/my.cnf" "$ETC/my.cnf"
  changed=yes
}

start_mysql() {
  local try
  if [[ ! -d $DATA/mysql ]]; then
    rm -rf "$DATA/mysql.new"
    "$MYSQL/bin/mysqld" --no-defaults --initialize-insecure --user=mysql --basedir="$MYSQL" --datadir="$DATA/mysql.new"
    mv "$DATA/mysql.new" "$DATA/mysql"
  fi
  # From a volume or snapshot of an instance that had other ids.
  [[ "$(stat -c %u "$DATA/mysql")" == "$(id -u mysql)" ]] || chown -R mysql:mysql "$DATA/mysql"
  if [[ $changed == yes ]]; then systemctl restart vinfast-mysql.service; else systemctl start vinfast-mysql.service; fi
  for ((try = 1; try <= 60; try++)); do
    "$MYSQL/bin/mysqladmin" --socket="$SOCKET" --user=root --silent ping >/dev/null 2>&1 && return
    sleep "$RETRY_SECONDS"
  done
  say "MySQL does not answer; see $LOG_DIR/error.log"
  return 1
}

parameter() { aws ssm get-parameter --name "$1" --with-decryption --query Parameter.Value --output text; }

# put_parameter NAME FILE: from a file, since arguments can be seen by every process.
put_parameter() { aws ssm put-parameter --name "$1" --type SecureString --overwrite --value "file://$2" >/dev/null; }

# The parameter decides. The first boot finds "unset" and fills it.
set_password() {
  local password
  password=$(parameter "$PASSWORD_PARAMETER")
  if [[ $password == unset ]]; then
    (umask 077 && openssl rand -hex 24 | tr -d '\n' >"$RUN/password")
    put_parameter "$PASSWORD_PARAMETER" "$RUN/password"
    rm -f "$RUN/password"
    password=$(parameter "$PASSWORD_PARAMETER")
  fi
  password=${password//\\/\\\\}
  password=${password//\'/\'\'}
  local schema=${DATABASE//_/\\_} # an underscore would match any letter
  "$MYSQL/bin/mysql" --socket="$SOCKET" --user=root <<END
SET sql_log_bin=0;
ALTER USER 'root'@'localhost' IDENTIFIED WITH auth_socket;
CREATE DATABASE IF NOT EXISTS $DATABASE CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS '$DATABASE_USER'@'%' IDENTIFIED BY '$password' REQUIRE SSL;
ALTER USER '$DATABASE_USER'@'%' IDENTIFIED BY '$password' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON \`$schema\`.* TO '$DATABASE_USER'@'%';
END
}

publish_ca() {
  [[ "$(parameter "$CA_PARAMETER")" == "$(cat "$TLS/ca.pem")" ]] || put_parameter "$CA_PARAMETER" "$TLS/ca.pem"
}

main() {
  trap wake_session_manager EXIT
  install_packages amazon-cloudwatch-agent awscli-2 diffutils gzip libaio logrotate numactl-libs openssl tar xfsprogs xz
  systemctl enable --now logrotate.timer
  mount_data
  install_mysql
  make_certificates
  write_config
  # First, since it tells why MySQL does not start; but no reason for it not to.
  local shipped=yes
  ship_log "$LOG_DIR/error.log" || shipped=no
  start_mysql
  set_password
  publish_ca
  systemctl enable --now vinfast-dump.timer
  [[ $shipped == yes ]]
}

main
