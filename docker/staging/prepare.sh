#!/usr/bin/env bash
# Writes what docker-compose.staging.yml needs and this repository must not hold: .env.staging with fresh secrets, and a
# self-signed certificate until you put a real one in its place. Changes nothing that is there already.
# Usage: docker/staging/prepare.sh [host name, default localhost]
set -euo pipefail
cd "$(dirname "$0")/../.."
host="${1:-localhost}"
umask 077

if [ ! -e .env.staging ]; then
  {
    echo "PUBLIC_URL=https://$host"
    # hexadecimal where a value becomes part of a URI
    echo "MONGO_PASSWORD=$(openssl rand -hex 24)"
    echo "REDIS_PASSWORD=$(openssl rand -hex 24)"
    echo "MONGO_REPLICA_SET_KEY=$(openssl rand -hex 128)"
    echo "JWT_SECRET=$(openssl rand -base64 48)"
    echo "JWT_REFRESH_SECRET=$(openssl rand -base64 48)"
    echo "DATA_SECRET=$(openssl rand -base64 48)"
    # keep a copy elsewhere: without it nobody can read the backups
    echo "BACKUP_PASSPHRASE=$(openssl rand -base64 24)"
    echo "GRAFANA_PASSWORD=$(openssl rand -hex 16)"
  } > .env.staging
  echo "wrote .env.staging"
fi

tls=docker/staging/tls
mkdir -p "$tls"
if [ ! -e "$tls/key.pem" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$host" \
    -addext "subjectAltName=DNS:$host" -keyout "$tls/key.pem" -out "$tls/certificate.pem" 2> /dev/null
  echo "wrote a self-signed certificate to $tls (replace both files with yours)"
fi
