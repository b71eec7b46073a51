package org.mobilefsgan.demo

import android.content.ContentProvider
import android.content.ContentUris
import android.content.ContentValues
import android.database.Cursor
import android.net.Uri
import java.io.ByteArrayOutputStream
import java.io.OutputStream
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf

/** The gallery of the device, as far as this app writes into it. */
class Gallery : ContentProvider() {
    /** A file with what is known of it. */
    class Entry(val values: ContentValues) {
        val bytes = ByteArrayOutputStream()
    }

    val entries = LinkedHashMap<Uri, Entry>()
    var streamOf: (Entry) -> OutputStream = { it.bytes }

    override fun onCreate() = true

    override fun getType(uri: Uri): String? = entries[uri]?.values?.getAsString("mime_type")

    override fun insert(uri: Uri, values: ContentValues?): Uri {
        val entry = Entry(ContentValues(values))
        val place = ContentUris.withAppendedId(uri, entries.size + 1L)
        entries[place] = entry
        shadowOf(context!!.contentResolver)
            .registerOutputStreamSupplier(place) { streamOf(entry) }
        return place
    }

    override fun update(uri: Uri, values: ContentValues?, where: String?, gaps: Array<String>?) =
        if (entries[uri]?.values?.putAll(values) == null) 0 else 1

    override fun delete(uri: Uri, where: String?, gaps: Array<String>?) =
        if (entries.remove(uri) == null) 0 else 1

    override fun query(
        uri: Uri,
        columns: Array<String>?,
        where: String?,
        gaps: Array<String>?,
        order: String?
    ): Cursor? = null

    companion object {
        fun installed(): Gallery =
            Robolectric.buildContentProvider(Gallery::class.java).create("media").get()
    }
}
