#!/bin/sh
# Makes the files of forms/ with openssl, in all the forms that people have. Keys are new each time and belong to nobody.
#
#     sh openssl.sh
set -eu
cd "$(dirname "$0")"
mkdir -p forms
cd forms

openssl genrsa -traditional -out rsa_pkcs1.pem 2048
openssl pkcs8 -topk8 -nocrypt -in rsa_pkcs1.pem -out rsa_pkcs8.pem
openssl rsa -in rsa_pkcs1.pem -pubout -out rsa_public.pem
openssl rsa -in rsa_pkcs1.pem -traditional -aes128 -passout pass:invented -out rsa_pkcs1_locked.pem
openssl pkcs8 -topk8 -in rsa_pkcs1.pem -passout pass:invented -out rsa_pkcs8_locked.pem
openssl genrsa -traditional -out rsa_1024.pem 1024
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out rsa_pss.pem
openssl ecparam -name prime256v1 -genkey -noout -out ec_sec1.pem
openssl pkcs8 -topk8 -nocrypt -in ec_sec1.pem -out ec_pkcs8.pem
# With the numbers as text above the block, as some have saved it.
openssl dhparam -text -out dh_text.pem 2048
openssl dhparam -in dh_text.pem -out dh.pem
openssl dhparam -dsaparam -out dsa_style.pem 2048
openssl dhparam -5 -out dh_512.pem 512
