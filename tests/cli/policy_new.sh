# A copy to change; never over a file that is there. The folder `policies` here is the
# user's own.
mkdir here && cd here && mkdir policies
hotdesk policy new mine --from serverless
hotdesk policy new mine --from dedicated
echo "exit $?"
ls policies
sed -n 1p policies/mine.lua
tail -n +3 policies/mine.lua | cmp - "$ROOT/policies/serverless.lua"
hotdesk policy check policies/mine.lua
