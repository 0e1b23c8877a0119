# One line on stderr and exit 2.
try() {
    hotdesk policy "$@"
    code=$?
    [ $code = 2 ] || echo "exit $code: $*"
}
try dedicatd
try check
try check dedicated serverless
try check dedicated --set replica=1
try check dedicated --set replicas=1.5
try check dedicated --set replicas=-1
try check dedicated --set replicas
try check aegaeon --set balance=load
try new mine
try new 'my policy' --from dedicated
try new mine --from dedicatd
try dedicated --from serverless
