// What exists: activities, their parameters and how they change, and the views by which others read them.
