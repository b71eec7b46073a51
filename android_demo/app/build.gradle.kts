// Not run by CI: it has no Android SDK. Maven compiles and tests the same sources.
plugins { id("com.android.application") }

android {
    namespace = "org.mobilefsgan.demo"
    compileSdk = 36
    defaultConfig {
        applicationId = "org.mobilefsgan.demo"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    }
    buildTypes {
        release { isMinifyEnabled = false }
        create("benchmark") {
            initWith(getByName("release"))
            signingConfig = signingConfigs.getByName("debug")
            matchingFallbacks += "release"
        }
    }
    sourceSets {
        // The adapters see Android's archives here, so their sources belong to this module.
        getByName("main") {
            kotlin.directories += listOf("../litert/src/main/kotlin", "../onnx/src/main/kotlin")
        }
        // Debug and benchmark builds measure; the release build has no BenchmarkActivity.
        getByName("debug") { kotlin.directories += "src/measured/kotlin" }
        getByName("benchmark") {
            kotlin.directories += "src/measured/kotlin"
            manifest.srcFile("src/debug/AndroidManifest.xml")
        }
    }
    // Models stay uncompressed, as in the APK of ci/apk.sh.
    androidResources { noCompress += listOf("tflite", "onnx") }
    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                it.systemProperty("mobilefsgan.vectors", "$rootDir/../tests/vectors")
                it.systemProperty("screenshots", "${layout.buildDirectory.get()}/screenshots")
            }
        }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

dependencies {
    implementation(project(":core"))
    implementation("com.google.ai.edge.litert:litert:1.4.2")
    implementation("com.google.ai.edge.litert:litert-gpu:1.4.2")
    implementation("com.google.ai.edge.litert:litert-gpu-api:1.4.2")
    implementation("com.microsoft.onnxruntime:onnxruntime-android:1.29.0")

    testImplementation("junit:junit:4.13.2")
    testImplementation("org.robolectric:robolectric:4.16.1")
}
