hotdesk replay; a=$?
hotdesk compare --gpu H100; b=$?
hotdesk replay --fleet H100:8; c=$?
echo $a $b $c
