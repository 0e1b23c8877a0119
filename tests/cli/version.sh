hotdesk --version
