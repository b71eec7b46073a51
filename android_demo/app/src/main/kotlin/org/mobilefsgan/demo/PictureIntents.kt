package org.mobilefsgan.demo

import android.content.Intent
import android.net.Uri

private const val AS_SOURCE = "ShareAsSource" // the manifest's second name of the activity

/** Asks for a picture of the gallery, or of another app that has pictures. */
fun pickPicture(): Intent = Intent(Intent.ACTION_GET_CONTENT).setType("image/*")
    .addCategory(Intent.CATEGORY_OPENABLE)

/** Offers [saved] to the app that the user chooses. */
fun sendPicture(saved: Saved, title: String): Intent {
    val send = Intent(Intent.ACTION_SEND).setType(saved.type)
        .putExtra(Intent.EXTRA_STREAM, saved.at)
        .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
    return Intent.createChooser(send, title)
}

/** The picture that another app sends with this intent, null where it sends none. */
@Suppress("DEPRECATION")
fun Intent.sharedPicture(): Uri? =
    if (action == Intent.ACTION_SEND) getParcelableExtra(Intent.EXTRA_STREAM) else null

/** Whether the picture was sent as the source face; else it is the photo to swap. */
fun Intent.isForSource(): Boolean =
    component?.shortClassName.orEmpty().substringAfterLast('.') == AS_SOURCE
