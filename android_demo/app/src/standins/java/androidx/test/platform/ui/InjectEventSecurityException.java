package androidx.test.platform.ui;

public final class InjectEventSecurityException extends Exception {}
