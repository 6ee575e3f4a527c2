throw "\ud83d and \\ud83d";
