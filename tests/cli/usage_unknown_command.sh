hotdesk comapre
