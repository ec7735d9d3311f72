Waymark.main()
