hotdesk
