hotdesk --help
